//! Writing streams.

use alloc::vec::Vec;

use crate::rdb::listpack::Listpack;
use crate::rdb::save::{save_length, save_plain};
use crate::types::Element;
use crate::types::stream::{Consumer, Group, Node, Stream, StreamId, listpack_elements};

/// Appends a stream.
pub(in crate::rdb) fn save(stream: &Stream, out: &mut Vec<u8>) {
    save_length(stream.node_count() as u64, out);
    for (master, node) in stream.nodes() {
        save_plain(&master.to_bytes(), out);
        let listpack = pack(master, node);
        debug_assert_eq!(listpack.len() as u64, node.listpack_bytes(), "sizes are counted along");
        save_plain(&listpack, out);
    }
    save_length(stream.len(), out);
    for id in [stream.last_id(), stream.first_id(), stream.max_deleted_id()] {
        save_id(id, out);
    }
    save_length(stream.entries_added(), out);
    save_length(stream.group_count() as u64, out);
    for (name, group) in stream.groups() {
        save_plain(name, out);
        save_group(group, out);
    }
}

fn save_id(id: StreamId, out: &mut Vec<u8>) {
    save_length(id.ms, out);
    save_length(id.seq, out);
}

fn pack(master: StreamId, node: &Node) -> Vec<u8> {
    let mut packed = Listpack::new();
    let number = |value: u64| Element::Integer(value as i64);
    packed.push(number(node.live()));
    packed.push(number(node.deleted()));
    let fields = node.master_fields();
    packed.push(number(fields.len() as u64));
    fields.for_each(|field| packed.push(field));
    packed.push(number(0));
    for entry in node.entries(master) {
        let (pairs, same) = (entry.pairs(), entry.has_master_fields());
        packed.push(number(entry.flags().into()));
        packed.push(number(entry.id.ms.wrapping_sub(master.ms)));
        packed.push(number(entry.id.seq.wrapping_sub(master.seq)));
        let elements = listpack_elements(pairs.len(), same);
        if !same {
            packed.push(number(pairs.len() as u64));
        }
        for (field, value) in pairs {
            if !same {
                packed.push(field);
            }
            packed.push(value);
        }
        packed.push(number(elements as u64));
    }
    packed.finish()
}

fn save_group(group: &Group, out: &mut Vec<u8>) {
    save_id(group.last_id, out);
    save_length(group.entries_read.unwrap_or(-1) as u64, out);
    save_length(group.pending().len() as u64, out);
    for (id, pending) in group.pending() {
        out.extend_from_slice(&id.to_bytes());
        out.extend_from_slice(&pending.delivered_at_ms.to_le_bytes());
        save_length(pending.deliveries, out);
    }
    save_length(group.consumer_count() as u64, out);
    group.consumers().for_each(|consumer| save_consumer(consumer, out));
}

fn save_consumer(consumer: &Consumer, out: &mut Vec<u8>) {
    save_plain(consumer.name(), out);
    out.extend_from_slice(&consumer.seen_at_ms.to_le_bytes());
    out.extend_from_slice(&consumer.active_at_ms.to_le_bytes());
    save_length(consumer.pending().len() as u64, out);
    consumer.pending().iter().for_each(|id| out.extend_from_slice(&id.to_bytes()));
}
