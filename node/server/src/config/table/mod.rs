//! The table of directives, and how to find one in it.

mod cluster;
mod data;
mod ignored;
mod limits;
mod network;
mod observe;
mod persist;
mod tls;

use super::directive::Directive;

/// Directives about one subject.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// The heading in the reference.
    pub title: &'static str,
    /// A sentence or two under the heading.
    pub introduction: &'static str,
    /// The directives, in the order of the reference.
    pub directives: &'static [Directive],
}

/// All groups, in the order of the reference.
pub const GROUPS: &[Group] = &[
    network::GROUP,
    cluster::GROUP,
    persist::GROUP,
    limits::GROUP,
    observe::GROUP,
    data::GROUP,
    tls::GROUP,
    ignored::GROUP,
];

const COUNT: usize = {
    let (mut group, mut count) = (0, 0);
    while group < GROUPS.len() {
        count += GROUPS[group].directives.len();
        group += 1;
    }
    count
};

/// All directives: a directive's place here is where a configuration keeps its value.
pub static DIRECTIVES: [Directive; COUNT] = flatten();

#[expect(clippy::large_stack_arrays, reason = "it is computed by the compiler")]
const fn flatten() -> [Directive; COUNT] {
    let mut all = [GROUPS[0].directives[0]; COUNT];
    let (mut group, mut count) = (0, 0);
    while group < GROUPS.len() {
        let mut index = 0;
        while index < GROUPS[group].directives.len() {
            all[count] = GROUPS[group].directives[index];
            (index, count) = (index + 1, count + 1);
        }
        group += 1;
    }
    all
}

/// The place of the directive with this very name; a name that does not exist does not compile
/// where it is used in a constant.
pub(super) const fn index_of(name: &str) -> usize {
    let (mut group, mut count) = (0, 0);
    while group < GROUPS.len() {
        let mut index = 0;
        while index < GROUPS[group].directives.len() {
            if is_equal(GROUPS[group].directives[index].name.as_bytes(), name.as_bytes()) {
                return count;
            }
            (index, count) = (index + 1, count + 1);
        }
        group += 1;
    }
    panic!("no directive has this name")
}

const fn is_equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut index = 0;
    while index < a.len() {
        if a[index] != b[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// The place of the directive that goes by `name`, in either case, aliases included.
pub(super) fn find(name: &str) -> Option<usize> {
    DIRECTIVES.iter().position(|directive| directive.is_called(name))
}

/// The directive that goes by `name`, in either case, aliases included.
pub fn lookup(name: &str) -> Option<&'static Directive> {
    find(name).map(|index| &DIRECTIVES[index])
}
