//! `XINFO STREAM … FULL`: entries, groups, consumers and what is pending.

use quoris_resp::Writer;

use super::arguments::{write_entries, write_id};
use super::info::{field, write_count, write_named_id, write_progress};
use crate::types::Stream;
use crate::types::stream::{Consumer, Group, StreamId};

/// Writes entries and groups, at most `count` of each kind of element.
pub(super) fn write(reply: &mut Writer<'_>, stream: &Stream, count: usize) {
    field(reply, "entries");
    write_entries(reply, stream.range(StreamId::MIN, StreamId::MAX).take(count));
    field(reply, "groups");
    reply.array(stream.group_count());
    for (name, group) in stream.groups() {
        reply.map(7);
        field(reply, "name");
        reply.bulk(name);
        write_named_id(reply, "last-delivered-id", group.last_id);
        write_progress(reply, stream, group);
        write_group_pending(reply, group, count);
        field(reply, "consumers");
        reply.array(group.consumer_count());
        for consumer in group.consumers() {
            write_consumer(reply, group, consumer, count);
        }
    }
}

fn write_group_pending(reply: &mut Writer<'_>, group: &Group, count: usize) {
    let pending = group.pending();
    write_count(reply, "pel-count", pending.len() as i64);
    field(reply, "pending");
    reply.array(pending.len().min(count));
    for (id, pending) in pending.iter().take(count) {
        reply.array(4);
        write_id(reply, *id);
        reply.bulk(group.owner(pending).name());
        reply.integer(pending.delivered_at_ms);
        reply.integer(pending.deliveries as i64);
    }
}

fn write_consumer(reply: &mut Writer<'_>, group: &Group, consumer: &Consumer, count: usize) {
    let pending = consumer.pending();
    reply.map(5);
    field(reply, "name");
    reply.bulk(consumer.name());
    write_count(reply, "seen-time", consumer.seen_at_ms);
    write_count(reply, "active-time", consumer.active_at_ms);
    write_count(reply, "pel-count", pending.len() as i64);
    field(reply, "pending");
    reply.array(pending.len().min(count));
    for id in pending.iter().take(count) {
        let pending = &group.pending()[id];
        reply.array(3);
        write_id(reply, *id);
        reply.integer(pending.delivered_at_ms);
        reply.integer(pending.deliveries as i64);
    }
}
