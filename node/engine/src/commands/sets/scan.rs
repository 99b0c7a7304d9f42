//! Scanning a set.

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::commands::options::{self, Scan};
use crate::commands::{elements, scanning};
use crate::context::ReadCx;
use crate::error::Result;
use crate::spec::Group;
use crate::types::{Encoding, Set};

/// SSCAN key cursor [MATCH pattern] [COUNT count]
pub(super) const SSCAN: Command =
    Command {
        spec: scanning::spec("sscan", Group::Set, "Walks over the members of a set in steps.")
            .args(&[scanning::KEY, scanning::CURSOR, scanning::MATCH, scanning::COUNT]),
        run: Run::Read(sscan),
    };

fn sscan(cx: &ReadCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let cursor = options::cursor(args.get(2))?;
    let Some(set) = cx.get::<Set>(&cx.key(&args, 1))? else {
        scanning::write_nothing(reply);
        return Ok(());
    };
    let scan = Scan::parse(&args, 3)?;
    let is_compact = set.encoding() != Encoding::Hashtable;
    let (range, next) = elements::walk(cursor, scan.count, set.len(), is_compact);
    let members = set.members_at(range).filter(|member| member.with_bytes(|m| scan.matches(m)));
    scanning::write(reply, next, members.map(|member| (member, None)));
    Ok(())
}
