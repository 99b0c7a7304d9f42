//! The state machine of the topology group.
//!
//! A change is checked completely before the first field is touched, so a
//! refused change leaves no trace; and it is a function of the record and the
//! change alone, so every node refuses or applies the same ones.

use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::change::{Change, Outcome, Refusal};
use crate::functions::Functions;
use crate::id::{Epoch, JobId, NodeId, ShardId, Term};
use crate::migration::{Advance, Migration, Phase, Side, Step};
use crate::node::{Address, Node};
use crate::plan::{Plan, SHARD_MEMBERS_MAX, check_voters};
use crate::slot::{SLOT_COUNT, Slot, SlotRange, to_ranges};
use crate::topology::{FINISHED_JOBS_MAX, Shard, Topology};

/// What a change did, before the epoch is known.
enum Effect {
    Nothing,
    /// Something changed that clients cannot notice.
    Quiet,
    /// Something changed that clients can notice.
    Noticeable,
}

use Effect::{Nothing, Noticeable, Quiet};

impl Topology {
    /// Applies one entry of the topology group's log.
    pub fn apply(&mut self, change: Change) -> Outcome {
        let effect = match change {
            Change::Form(plan) => self.form(&plan),
            _ if self.cluster.is_none() => Err(Refusal::NotFormed),
            Change::SetAddress { node, address } => self.set_address(node, address),
            Change::SetLeader { shard, node, term } => self.set_leader(shard, node, term),
            Change::AddNode(node) => self.add_node(node),
            Change::RemoveNode { node } => self.remove_node(node),
            Change::AddShard { shard } => self.add_shard(shard),
            Change::RemoveShard { shard } => self.remove_shard(shard),
            Change::AssignSlots { shard, slots } => self.assign_slots(shard, &slots),
            Change::ReleaseSlots { shard, slots } => self.release_slots(shard, &slots),
            Change::SetVoters { voters } => self.set_voters(voters),
            Change::SetFunctions(functions) => self.set_functions(functions),
            Change::FollowFunctions { shard, version } => self.follow_functions(shard, version),
            Change::StartMigration { id, slots, from, to } => self.start(id, &slots, from, to),
            Change::AdvanceMigration { id, step } => self.advance(id, step),
            Change::SettleMigration { id, side } => self.settle(id, side),
        };
        match effect {
            Ok(Nothing) => Outcome::Unchanged,
            Ok(Quiet) => Outcome::Applied { epoch: self.epoch },
            Ok(Noticeable) => {
                self.epoch = self.epoch.next();
                Outcome::Applied { epoch: self.epoch }
            }
            Err(refusal) => Outcome::Refused(refusal),
        }
    }

    fn form(&mut self, plan: &Plan) -> Result<Effect, Refusal> {
        match self.cluster {
            Some(cluster) if cluster == plan.cluster_id => return Ok(Nothing),
            Some(_) => return Err(Refusal::AlreadyFormed),
            None => {}
        }
        plan.validate().map_err(|error| Refusal::BadPlan(error.to_string()))?;
        *self = Self::of_plan(plan);
        Ok(Quiet)
    }

    fn set_address(&mut self, id: NodeId, address: Address) -> Result<Effect, Refusal> {
        address.check_unless_unknown().map_err(Refusal::BadAddress)?;
        let node = self.nodes.get_mut(&id).ok_or(Refusal::UnknownNode(id))?;
        if node.address() == address {
            return Ok(Nothing);
        }
        node.relocate(address);
        Ok(Noticeable)
    }

    fn set_leader(&mut self, id: ShardId, node: NodeId, term: Term) -> Result<Effect, Refusal> {
        let epoch = self.epoch.next();
        let shard = self.shard_mut(id)?;
        if term < shard.term {
            return Ok(Nothing);
        }
        if !shard.members.contains(&node) {
            return Err(Refusal::NotAMember { node, shard: id });
        }
        match shard.leader {
            Some(leader) if leader == node && term == shard.term => return Ok(Nothing),
            Some(leader) if term == shard.term => {
                return Err(Refusal::SecondLeader { shard: id, term, leader });
            }
            Some(leader) if leader == node => {
                shard.term = term;
                return Ok(Quiet);
            }
            _ => {}
        }
        shard.leader = Some(node);
        shard.term = term;
        shard.config_epoch = epoch;
        Ok(Noticeable)
    }

    fn add_node(&mut self, node: Node) -> Result<Effect, Refusal> {
        node.address().check().map_err(Refusal::BadAddress)?;
        match self.node_by_raft_id(node.id.raft_id()) {
            Some(known) if *known == node => return Ok(Nothing),
            Some(known) if known.id == node.id => return Err(Refusal::KnownNode(node.id)),
            Some(known) => return Err(Refusal::SameRaftId(known.id, node.id)),
            None => {}
        }
        let shard = self.shard_mut(node.shard)?;
        if shard.members.len() >= SHARD_MEMBERS_MAX {
            return Err(Refusal::FullShard(node.shard));
        }
        shard.members.push(node.id);
        self.nodes.insert(node.id, node);
        Ok(Noticeable)
    }

    fn remove_node(&mut self, id: NodeId) -> Result<Effect, Refusal> {
        let Some(home) = self.node(id).map(|node| node.shard) else { return Ok(Nothing) };
        if self.voters == [id] {
            return Err(Refusal::LastVoter(id));
        }
        let is_last = self.shard(home).is_some_and(|shard| shard.members == [id]);
        if is_last && (!self.slots_of(home).is_empty() || self.is_in_a_job(home)) {
            return Err(Refusal::LastMember { node: id, shard: home });
        }
        let shard = self.shard_mut(home)?;
        shard.members.retain(|member| *member != id);
        shard.leader = shard.leader.filter(|leader| *leader != id);
        self.voters.retain(|voter| *voter != id);
        self.nodes.remove(&id);
        Ok(Noticeable)
    }

    fn add_shard(&mut self, id: ShardId) -> Result<Effect, Refusal> {
        match self.shard(id) {
            Some(shard) if shard.members.is_empty() => return Ok(Nothing),
            Some(_) => return Err(Refusal::KnownShard(id)),
            None => {}
        }
        if self.shards.len() >= usize::from(SLOT_COUNT) {
            return Err(Refusal::TooManyShards);
        }
        let config_epoch = self.epoch.next();
        let (members, leader, term) = (Vec::new(), None, Term(0));
        let function_version = 0;
        self.shards.push(Shard { id, members, leader, term, config_epoch, function_version });
        Ok(Noticeable)
    }

    fn remove_shard(&mut self, id: ShardId) -> Result<Effect, Refusal> {
        let Some(place) = self.shards.iter().position(|shard| shard.id == id) else {
            return Ok(Nothing);
        };
        let in_use = !self.shards[place].members.is_empty() || !self.slots_of(id).is_empty();
        if in_use || self.is_in_a_job(id) {
            return Err(Refusal::BusyShard(id));
        }
        self.shards.remove(place);
        self.slots.close_gap(place);
        Ok(Noticeable)
    }

    fn assign_slots(&mut self, id: ShardId, ranges: &[SlotRange]) -> Result<Effect, Refusal> {
        let place = self.place_of(id)?;
        for slot in all_of(ranges)? {
            match self.shard_of(slot) {
                Some(owner) if owner.id != id => {
                    return Err(Refusal::OwnedSlot { slot, shard: owner.id });
                }
                _ => self.check_at_rest(slot)?,
            }
        }
        Ok(self.hand_over(ranges, Some(place)))
    }

    fn release_slots(&mut self, id: ShardId, ranges: &[SlotRange]) -> Result<Effect, Refusal> {
        let place = self.place_of(id)?;
        for slot in all_of(ranges)? {
            if self.slots.owner(slot).is_some_and(|owner| owner != place) {
                return Err(Refusal::ForeignSlot { slot, shard: id });
            }
            self.check_at_rest(slot)?;
        }
        Ok(self.hand_over(ranges, None))
    }

    fn set_voters(&mut self, voters: Vec<NodeId>) -> Result<Effect, Refusal> {
        check_voters(&voters, |node| self.node(node).is_some())
            .map_err(|error| Refusal::BadVoters(error.to_string()))?;
        if self.voters == voters {
            return Ok(Nothing);
        }
        self.voters = voters;
        Ok(Quiet)
    }

    fn set_functions(&mut self, functions: Functions) -> Result<Effect, Refusal> {
        self.place_of(functions.origin)?;
        if self.functions() == Some(&functions) {
            return Ok(Nothing);
        }
        let version = self.function_version();
        if functions.version != version + 1 {
            return Err(Refusal::OtherFunctions { version });
        }
        self.functions = Some(Arc::new(functions));
        Ok(Quiet)
    }

    fn follow_functions(&mut self, id: ShardId, version: u64) -> Result<Effect, Refusal> {
        let newest = self.function_version();
        let shard = self.shard_mut(id)?;
        if version > newest {
            return Err(Refusal::OtherFunctions { version: newest });
        }
        if version <= shard.function_version {
            return Ok(Nothing);
        }
        shard.function_version = version;
        Ok(Quiet)
    }

    fn start(
        &mut self,
        id: JobId,
        ranges: &[SlotRange],
        from: ShardId,
        to: ShardId,
    ) -> Result<Effect, Refusal> {
        let slots = to_ranges(all_of(ranges)?);
        let mut known = self.migrations.iter().chain(&self.finished);
        if let Some(job) = known.find(|job| job.id == id) {
            let same = (job.from, job.to, &job.slots) == (from, to, &slots);
            return if same { Ok(Nothing) } else { Err(Refusal::KnownJob(id)) };
        }
        if from == to {
            return Err(Refusal::SameShard(to));
        }
        let source = self.place_of(from)?;
        let target = self.place_of(to)?;
        if self.shards[target].members.is_empty() {
            return Err(Refusal::EmptyShard(to));
        }
        for slot in all_of(ranges)? {
            if self.slots.owner(slot) != Some(source) {
                return Err(Refusal::ForeignSlot { slot, shard: from });
            }
            self.check_at_rest(slot)?;
        }
        self.migrations.push(Migration::new(id, slots, from, to, self.epoch));
        Ok(Quiet)
    }

    fn advance(&mut self, id: JobId, step: Step) -> Result<Effect, Refusal> {
        let place = self.migrations.iter().position(|job| job.id == id);
        let job = match place {
            Some(place) => &self.migrations[place],
            None => self.finished_job(id)?,
        };
        let phase = job.phase;
        let next = match phase.after(step) {
            Advance::To(next) => next,
            Advance::Already => return Ok(Nothing),
            Advance::Refused => return Err(Refusal::BadStep { job: id, phase, step }),
        };
        let mut effect = Quiet;
        if next == Phase::Moved {
            let target = self.place_of(job.to)?;
            effect = self.hand_over(&job.slots.clone(), Some(target));
        }
        let place = place.expect("a finished job has no steps left");
        self.migrations[place].phase = next;
        Ok(effect)
    }

    fn settle(&mut self, id: JobId, side: Side) -> Result<Effect, Refusal> {
        let Some(place) = self.migrations.iter().position(|job| job.id == id) else {
            return self.finished_job(id).map(|_| Nothing);
        };
        let job = &mut self.migrations[place];
        if !job.phase.is_decided() {
            return Err(Refusal::UndecidedJob(id));
        }
        if !job.settle(side) {
            return Ok(Nothing);
        }
        if job.is_settled() {
            let job = self.migrations.remove(place);
            self.finished.push(job);
            let surplus = self.finished.len().saturating_sub(FINISHED_JOBS_MAX);
            self.finished.drain(..surplus);
        }
        Ok(Quiet)
    }

    /// Gives slots to the shard at `place`, or to nobody. The shard that won
    /// some, or else the one that lost them, is of a new epoch; never two, so
    /// that no two shards share one.
    fn hand_over(&mut self, ranges: &[SlotRange], place: Option<usize>) -> Effect {
        let epoch: Epoch = self.epoch.next();
        let mut effect = Nothing;
        for slot in ranges.iter().flat_map(|range| range.slots()) {
            let before = self.slots.owner(slot);
            if before == place {
                continue;
            }
            self.slots.set(slot, place);
            if let Some(changed) = place.or(before) {
                self.shards[changed].config_epoch = epoch;
            }
            effect = Noticeable;
        }
        effect
    }

    fn place_of(&self, id: ShardId) -> Result<usize, Refusal> {
        let place = self.shards.iter().position(|shard| shard.id == id);
        place.ok_or(Refusal::UnknownShard(id))
    }

    fn shard_mut(&mut self, id: ShardId) -> Result<&mut Shard, Refusal> {
        let place = self.place_of(id)?;
        Ok(&mut self.shards[place])
    }

    fn finished_job(&self, id: JobId) -> Result<&Migration, Refusal> {
        self.finished.iter().find(|job| job.id == id).ok_or(Refusal::UnknownJob(id))
    }

    fn is_in_a_job(&self, shard: ShardId) -> bool {
        self.migrations.iter().any(|job| job.from == shard || job.to == shard)
    }

    fn check_at_rest(&self, slot: Slot) -> Result<(), Refusal> {
        match self.migration_of(slot) {
            Some(job) => Err(Refusal::MovingSlot { slot, job: job.id }),
            None => Ok(()),
        }
    }
}

/// The slots of a request; none, or more than there are, is a mistake.
fn all_of(ranges: &[SlotRange]) -> Result<impl Iterator<Item = Slot>, Refusal> {
    let slot_count: u64 = ranges.iter().map(|range| u64::from(range.slot_count())).sum();
    match slot_count {
        0 => Err(Refusal::NoSlots),
        count if count > u64::from(SLOT_COUNT) => Err(Refusal::RepeatedSlots),
        _ => Ok(ranges.iter().flat_map(|range| range.slots())),
    }
}
