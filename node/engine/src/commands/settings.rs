//! The change of replicated settings: not a client's command, but what a leader proposes when an
//! operator sets a directive that every replica has to obey from the same entry on.

use alloc::format;

use quoris_resp::Writer;

use crate::command::{Args, Command, Run};
use crate::context::WriteCx;
use crate::error::{CommandError, Result, SYNTAX};
use crate::settings::Settings;
use crate::spec::{Flags, Group, Spec, block, string};

pub(super) const COMMANDS: &[Command] = &[SETTING];

/// QUORIS.SETTING name value [name value ...]
const SETTING: Command = Command {
    spec: Spec::new("quoris.setting", Group::Server, "0.1.0", "Changes replicated settings.")
        .args(&[block("setting", &[string("name"), string("value")]).multiple()])
        .flags(Flags::INTERNAL.or(Flags::NOSCRIPT)),
    run: Run::Write(setting),
};

const DATABASES_IN_USE: CommandError =
    CommandError::fixed("ERR a database that 'databases' leaves out holds keys");

/// All settings change, or none does.
fn setting(cx: &mut WriteCx<'_>, args: Args<'_>, reply: &mut Writer<'_>) -> Result {
    let mut settings = cx.settings().clone();
    let mut words = args.from(1);
    while let Some(name) = words.next() {
        let value = words.next().ok_or(SYNTAX)?;
        set(&mut settings, name, value)?;
    }
    let keyspace = cx.keyspace_mut();
    if (settings.databases..keyspace.database_count()).any(|db| !keyspace.database(db).is_empty()) {
        return Err(DATABASES_IN_USE);
    }
    keyspace.make_room(settings.databases - 1);
    *cx.settings_mut() = settings;
    cx.settings_changed();
    reply.ok();
    Ok(())
}

fn set(settings: &mut Settings, name: &[u8], value: &[u8]) -> Result {
    let refused = || {
        let name = alloc::string::String::from_utf8_lossy(name);
        CommandError::text(format!("ERR no replicated setting '{name}' with such a value"))
    };
    let name = core::str::from_utf8(name).map_err(|_| refused())?;
    let value = core::str::from_utf8(value).map_err(|_| refused())?;
    if settings.set(name, value) { Ok(()) } else { Err(refused()) }
}
