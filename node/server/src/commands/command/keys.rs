//! The keys of a request that is not executed.

use quoris_engine::spec::{Flags, KeyAccess};
use quoris_engine::{Args, Command, CommandError, Result, Run};

use crate::registry::Registry;

const INVALID_COMMAND: CommandError = CommandError::fixed("ERR Invalid command specified");
const NO_KEYS: CommandError = CommandError::fixed("ERR The command has no key arguments");
const INVALID_COUNT: CommandError =
    CommandError::fixed("ERR Invalid number of arguments specified for command");
const INVALID_ARGUMENTS: CommandError =
    CommandError::fixed("ERR Invalid arguments specified for command");

/// Words of `COMMAND GETKEYS` before the request.
const OWN_WORDS: usize = 2;

/// The keys in the request that begins at the third word, each with what is done to it.
///
/// # Errors
/// Redis's texts for a command that does not exist, has no keys or is called wrongly.
pub(super) fn find<'a>(registry: &Registry, args: &Args<'a>) -> Result<Vec<(&'a [u8], KeyAccess)>> {
    let command = command(registry, args).ok_or(INVALID_COMMAND)?;
    let spec = &command.spec;
    let specs = spec.key_specs.iter().flatten();
    let specs = specs.filter(|keys| keys.access != KeyAccess::NOT_KEY);
    if specs.clone().next().is_none() {
        return Err(NO_KEYS);
    }
    let words = args.len() - OWN_WORDS;
    if !spec.accepts(words) {
        return Err(INVALID_COUNT);
    }
    let mut found = Vec::new();
    for keys in specs {
        let mut places = Vec::new();
        keys.find_in(words, |at| args.get(OWN_WORDS + at), &mut places)
            .map_err(|_| INVALID_ARGUMENTS)?;
        let access = keys.access.or_default(command.writes());
        let access = variable(spec.name, args).unwrap_or(access);
        found.extend(places.iter().map(|at| (args.get(OWN_WORDS + at), access)));
    }
    if found.is_empty() {
        return Err(INVALID_ARGUMENTS);
    }
    Ok(found)
}

/// What is done to the key of a command that may read it or not, where the declaration has to
/// allow for both.
fn variable(name: &str, args: &Args<'_>) -> Option<KeyAccess> {
    let mut options = args.from(OWN_WORDS + 3);
    let reads = options.any(|option| option.eq_ignore_ascii_case(b"get"));
    (name == "set" && !reads).then_some(KeyAccess::OVERWRITE)
}

fn command(registry: &Registry, args: &Args<'_>) -> Option<&'static Command> {
    let (_, command) = registry.table().find(&args[OWN_WORDS])?;
    if command.spec.flags.has(Flags::INTERNAL) {
        return None;
    }
    match (command.run, args.try_get(OWN_WORDS + 1)) {
        (Run::Container(subs), Some(word)) => quoris_engine::command::find_subcommand(subs, word),
        _ => Some(command),
    }
}
