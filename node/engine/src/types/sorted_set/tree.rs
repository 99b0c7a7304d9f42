//! The order of a big sorted set: a B+tree that counts.
//!
//! ```text
//!              Inner  [ child | child | child ]      per child: its least element, how many below it
//!                    /        |        \
//!   Leaf [score id | score id | …]  Leaf […]  Leaf […]
//! ```
//!
//! Elements are ordered by score, then by the bytes of the member, as in Redis's skip list. A leaf
//! keeps scores beside the ids of members, so that most comparisons touch one cache line and no
//! member. The counts make rank and select one walk from the root.
//!
//! The members themselves live in [`Members`]; the tree asks it only to break ties.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::members::{MemberId, Members};

const LEAF_MAX: usize = 64;
const FANOUT_MAX: usize = 32;

/// One element: the member's id stands for its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Element {
    /// The score, never NaN.
    pub score: f64,
    /// The member.
    pub id: MemberId,
}

/// Where a member with a score belongs.
#[derive(Clone, Copy, Debug)]
pub struct Position<'a> {
    /// The score, never NaN.
    pub score: f64,
    /// The bytes of the member.
    pub member: &'a [u8],
}

/// The order of a sorted set.
#[derive(Debug, Default)]
pub struct Tree {
    root: Node,
}

/// A part of the order.
#[derive(Debug)]
pub enum Node {
    /// Elements.
    Leaf(Box<Leaf>),
    /// Nodes below.
    Inner(Box<Inner>),
}

/// Some elements in order.
#[derive(Debug)]
pub struct Leaf {
    len: usize,
    scores: [f64; LEAF_MAX],
    ids: [MemberId; LEAF_MAX],
}

/// Some nodes in order.
#[derive(Debug)]
pub struct Inner {
    children: Vec<Child>,
}

#[derive(Debug)]
struct Child {
    least: Element,
    count: usize,
    node: Node,
}

impl Default for Node {
    fn default() -> Self {
        Node::Leaf(Box::new(Leaf::empty()))
    }
}

impl Leaf {
    fn empty() -> Leaf {
        Leaf { len: 0, scores: [0.0; LEAF_MAX], ids: [MemberId::default(); LEAF_MAX] }
    }

    fn element(&self, at: usize) -> Element {
        Element { score: self.scores[at], id: self.ids[at] }
    }

    /// The first place whose element is not before `position`.
    fn place_of(&self, position: &Position<'_>, members: &Members) -> usize {
        let below = self.scores[..self.len].partition_point(|score| *score < position.score);
        let mut at = below;
        let mut end = self.len;
        while at < end {
            let middle = at.midpoint(end);
            if compare(&self.element(middle), position, members) == Ordering::Less {
                at = middle + 1;
            } else {
                end = middle;
            }
        }
        at
    }

    fn insert(&mut self, at: usize, element: Element) {
        self.scores.copy_within(at..self.len, at + 1);
        self.ids.copy_within(at..self.len, at + 1);
        self.scores[at] = element.score;
        self.ids[at] = element.id;
        self.len += 1;
    }

    fn remove(&mut self, at: usize) {
        self.remove_between(at, at + 1);
    }

    fn remove_between(&mut self, first: usize, end: usize) {
        self.scores.copy_within(end..self.len, first);
        self.ids.copy_within(end..self.len, first);
        self.len -= end - first;
    }

    /// Moves the elements from `at` on into a new leaf.
    fn split_off(&mut self, at: usize) -> Leaf {
        let mut right = Leaf::empty();
        right.len = self.len - at;
        right.scores[..right.len].copy_from_slice(&self.scores[at..self.len]);
        right.ids[..right.len].copy_from_slice(&self.ids[at..self.len]);
        self.len = at;
        right
    }

    fn append(&mut self, right: &Leaf) {
        self.scores[self.len..self.len + right.len].copy_from_slice(&right.scores[..right.len]);
        self.ids[self.len..self.len + right.len].copy_from_slice(&right.ids[..right.len]);
        self.len += right.len;
    }
}

impl Node {
    fn count(&self) -> usize {
        match self {
            Node::Leaf(leaf) => leaf.len,
            Node::Inner(inner) => inner.children.iter().map(|child| child.count).sum(),
        }
    }

    fn least(&self) -> Element {
        match self {
            Node::Leaf(leaf) => leaf.element(0),
            Node::Inner(inner) => inner.children[0].least,
        }
    }

    /// How many entries the node itself has: elements of a leaf, children of an inner node.
    fn width(&self) -> usize {
        match self {
            Node::Leaf(leaf) => leaf.len,
            Node::Inner(inner) => inner.children.len(),
        }
    }

    fn is_thin(&self) -> bool {
        match self {
            Node::Leaf(leaf) => leaf.len < LEAF_MAX / 4,
            Node::Inner(inner) => inner.children.len() < FANOUT_MAX / 4,
        }
    }

    /// Removes the elements of ranks `first..end`, which are not all; nodes that lose everything
    /// go to `gone`.
    fn remove_ranks(&mut self, first: usize, end: usize, gone: &mut Vec<Node>) {
        match self {
            Node::Leaf(leaf) => leaf.remove_between(first, end),
            Node::Inner(inner) => inner.remove_ranks(first, end, gone),
        }
    }

    /// Inserts, and returns the right half if the node had to be split.
    fn insert(&mut self, position: &Position<'_>, id: MemberId, members: &Members) -> Option<Node> {
        match self {
            Node::Leaf(leaf) => {
                let at = leaf.place_of(position, members);
                let element = Element { score: position.score, id };
                if leaf.len < LEAF_MAX {
                    leaf.insert(at, element);
                    return None;
                }
                // Ascending insertion, the common load, leaves full leaves behind.
                let cut = if at == LEAF_MAX { LEAF_MAX - 4 } else { LEAF_MAX / 2 };
                let mut right = leaf.split_off(cut);
                if at <= cut {
                    leaf.insert(at, element)
                } else {
                    right.insert(at - cut, element)
                }
                Some(Node::Leaf(Box::new(right)))
            }
            Node::Inner(inner) => inner.insert(position, id, members),
        }
    }
}

impl Inner {
    /// The child that holds, or should hold, `position`.
    fn child_of(&self, position: &Position<'_>, members: &Members) -> usize {
        let behind = self
            .children
            .partition_point(|child| compare(&child.least, position, members) != Ordering::Greater);
        behind.saturating_sub(1)
    }

    fn insert(&mut self, position: &Position<'_>, id: MemberId, members: &Members) -> Option<Node> {
        let at = self.child_of(position, members);
        let child = &mut self.children[at];
        let split = child.node.insert(position, id, members);
        child.least = child.node.least();
        let Some(right) = split else {
            child.count += 1;
            return None;
        };
        child.count = child.node.count();
        self.children.insert(at + 1, Child::of(right));
        if self.children.len() <= FANOUT_MAX {
            return None;
        }
        let cut = if at + 2 == self.children.len() { FANOUT_MAX - 2 } else { FANOUT_MAX / 2 };
        let children = self.children.split_off(cut);
        Some(Node::Inner(Box::new(Inner { children })))
    }

    fn remove_ranks(&mut self, first: usize, end: usize, gone: &mut Vec<Node>) {
        let (mut before, mut emptied) = (0, 0..0);
        for (at, child) in self.children.iter_mut().enumerate() {
            let place = |rank: usize| rank.clamp(before, before + child.count) - before;
            let (from, to) = (place(first), place(end));
            before += child.count;
            if to - from == child.count {
                emptied = if emptied.is_empty() { at..at + 1 } else { emptied.start..at + 1 };
            } else if from < to {
                child.node.remove_ranks(from, to, gone);
                child.count -= to - from;
                child.least = child.node.least();
            }
        }
        let seam = emptied.start;
        gone.extend(self.children.drain(emptied).map(|child| child.node));
        for at in [seam + 1, seam, seam.saturating_sub(1)] {
            if at < self.children.len() {
                self.mend(at);
            }
        }
    }

    /// Brings a child that has become thin together with a neighbour, if both fit in one node.
    fn mend(&mut self, at: usize) {
        if !self.children[at].node.is_thin() || self.children.len() == 1 {
            return;
        }
        let left = at.saturating_sub(1);
        let most = match self.children[left].node {
            Node::Leaf(_) => LEAF_MAX,
            Node::Inner(_) => FANOUT_MAX,
        };
        if self.children[left].node.width() + self.children[left + 1].node.width() > most {
            return;
        }
        let right = self.children.remove(left + 1);
        let into = &mut self.children[left];
        match (&mut into.node, right.node) {
            (Node::Leaf(into), Node::Leaf(right)) => into.append(&right),
            (Node::Inner(into), Node::Inner(right)) => into.children.extend(right.children),
            _ => unreachable!("all leaves of a tree lie at the same depth"),
        }
        into.count += right.count;
        if into.count > 0 {
            into.least = into.node.least();
        }
    }
}

impl Child {
    fn of(node: Node) -> Child {
        Child { least: node.least(), count: node.count(), node }
    }
}

impl Tree {
    /// How many elements there are.
    pub fn len(&self) -> usize {
        self.root.count()
    }

    /// Adds an element that is not there.
    pub fn insert(&mut self, position: &Position<'_>, id: MemberId, members: &Members) {
        if let Some(right) = self.root.insert(position, id, members) {
            let left = core::mem::take(&mut self.root);
            let mut children = Vec::with_capacity(FANOUT_MAX + 1);
            children.extend([Child::of(left), Child::of(right)]);
            self.root = Node::Inner(Box::new(Inner { children }));
        }
    }

    /// Removes an element that is there.
    pub fn remove(&mut self, position: &Position<'_>, members: &Members) {
        remove_from(&mut self.root, position, members);
        self.lower();
    }

    /// Removes the elements of ranks `first..end`, which are not all; returns the nodes that held
    /// no others.
    pub fn remove_ranks(&mut self, first: usize, end: usize) -> Vec<Node> {
        let mut gone = Vec::new();
        self.root.remove_ranks(first, end, &mut gone);
        self.lower();
        gone
    }

    /// Makes the only child of the root the root.
    fn lower(&mut self) {
        while let Node::Inner(inner) = &mut self.root
            && inner.children.len() == 1
        {
            self.root = inner.children.pop().expect("it has one child").node;
        }
    }

    /// How many elements come before the first one for which `before` is false. `before` has to be
    /// true for a prefix of the order and false for the rest.
    pub fn partition_point(&self, mut before: impl FnMut(&Element) -> bool) -> usize {
        let mut rank = 0;
        let mut node = &self.root;
        loop {
            match node {
                Node::Leaf(leaf) => {
                    let (mut at, mut end) = (0, leaf.len);
                    while at < end {
                        let middle = at.midpoint(end);
                        if before(&leaf.element(middle)) {
                            at = middle + 1;
                        } else {
                            end = middle;
                        }
                    }
                    return rank + at;
                }
                Node::Inner(inner) => {
                    let behind = inner.children.partition_point(|child| before(&child.least));
                    let at = behind.saturating_sub(1);
                    rank += inner.children[..at].iter().map(|child| child.count).sum::<usize>();
                    node = &inner.children[at].node;
                }
            }
        }
    }

    /// The rank of an element that is there.
    pub fn rank(&self, position: &Position<'_>, members: &Members) -> usize {
        self.partition_point(|element| compare(element, position, members) == Ordering::Less)
    }

    /// The elements from `rank` on, ascending.
    pub fn ascend(&self, rank: usize) -> Ascend<'_> {
        let mut walk = Ascend { path: Vec::new(), leaf: None };
        walk.descend(&self.root, rank);
        walk
    }

    /// The elements from `rank` down, descending; nothing if `rank` is beyond the end.
    pub fn descend(&self, rank: usize) -> Descend<'_> {
        let mut walk = Descend { path: Vec::new(), leaf: None };
        if rank < self.len() {
            walk.descend(&self.root, rank);
        }
        walk
    }

    /// Approximate size in bytes.
    pub fn memory_bytes(&self) -> usize {
        fn below(node: &Node) -> usize {
            match node {
                Node::Leaf(_) => size_of::<Leaf>(),
                Node::Inner(inner) => {
                    size_of::<Inner>()
                        + inner.children.capacity() * size_of::<Child>()
                        + inner.children.iter().map(|child| below(&child.node)).sum::<usize>()
                }
            }
        }
        below(&self.root)
    }
}

fn remove_from(node: &mut Node, position: &Position<'_>, members: &Members) {
    match node {
        Node::Leaf(leaf) => {
            let at = leaf.place_of(position, members);
            assert!(at < leaf.len, "only elements that are there are removed");
            leaf.remove(at);
        }
        Node::Inner(inner) => {
            let at = inner.child_of(position, members);
            let child = &mut inner.children[at];
            remove_from(&mut child.node, position, members);
            child.count -= 1;
            if child.count > 0 {
                child.least = child.node.least();
                inner.mend(at);
            } else {
                inner.children.remove(at);
            }
        }
    }
}

fn compare(element: &Element, position: &Position<'_>, members: &Members) -> Ordering {
    match element.score.partial_cmp(&position.score).expect("a score is never NaN") {
        Ordering::Equal => members.bytes(element.id).cmp(position.member),
        other => other,
    }
}

/// Elements in ascending order.
pub struct Ascend<'t> {
    path: Vec<core::slice::Iter<'t, Child>>,
    leaf: Option<(&'t Leaf, usize)>,
}

impl<'t> Ascend<'t> {
    fn descend(&mut self, mut node: &'t Node, mut rank: usize) {
        loop {
            match node {
                Node::Leaf(leaf) => {
                    self.leaf = Some((leaf, rank));
                    return;
                }
                Node::Inner(inner) => {
                    let mut at = 0;
                    while at + 1 < inner.children.len() && rank >= inner.children[at].count {
                        rank -= inner.children[at].count;
                        at += 1;
                    }
                    self.path.push(inner.children[at + 1..].iter());
                    node = &inner.children[at].node;
                }
            }
        }
    }
}

impl Iterator for Ascend<'_> {
    type Item = Element;

    fn next(&mut self) -> Option<Element> {
        loop {
            if let Some((leaf, at)) = &mut self.leaf {
                if *at < leaf.len {
                    *at += 1;
                    return Some(leaf.element(*at - 1));
                }
                self.leaf = None;
            }
            match self.path.last_mut()?.next() {
                Some(child) => self.descend(&child.node, 0),
                None => {
                    self.path.pop();
                }
            }
        }
    }
}

/// Elements in descending order.
pub struct Descend<'t> {
    path: Vec<core::slice::Iter<'t, Child>>,
    /// A leaf, and how many of its elements are still to come.
    leaf: Option<(&'t Leaf, usize)>,
}

impl<'t> Descend<'t> {
    fn descend(&mut self, mut node: &'t Node, mut rank: usize) {
        loop {
            match node {
                Node::Leaf(leaf) => {
                    self.leaf = Some((leaf, rank + 1));
                    return;
                }
                Node::Inner(inner) => {
                    let mut at = 0;
                    while rank >= inner.children[at].count {
                        rank -= inner.children[at].count;
                        at += 1;
                    }
                    self.path.push(inner.children[..at].iter());
                    node = &inner.children[at].node;
                }
            }
        }
    }
}

impl Iterator for Descend<'_> {
    type Item = Element;

    fn next(&mut self) -> Option<Element> {
        loop {
            if let Some((leaf, left)) = &mut self.leaf {
                if *left > 0 {
                    *left -= 1;
                    return Some(leaf.element(*left));
                }
                self.leaf = None;
            }
            match self.path.last_mut()?.next_back() {
                Some(child) => self.descend(&child.node, child.count - 1),
                None => {
                    self.path.pop();
                }
            }
        }
    }
}
