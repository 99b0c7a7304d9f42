//! Which words of a request nobody but its handler may see.

use quoris_engine::Args;

use crate::config::table::lookup;

/// What is shown instead.
pub const REDACTED: &[u8] = b"(redacted)";

/// The words of a request with secrets replaced, as `MONITOR` and the slow log show them.
pub fn redacted<'a>(args: &Args<'a>) -> Vec<&'a [u8]> {
    let mut words: Vec<&[u8]> = args.from(0).collect();
    for at in secrets(&words) {
        words[at] = REDACTED;
    }
    words
}

fn secrets(words: &[&[u8]]) -> Vec<usize> {
    let is = |at: usize, name: &str| {
        words.get(at).is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()))
    };
    if is(0, "auth") {
        return (1..words.len()).collect();
    }
    if is(0, "hello") {
        let options = (2..words.len().saturating_sub(2)).find(|at| is(*at, "auth"));
        return options.map_or_else(Vec::new, |at| vec![at + 1, at + 2]);
    }
    if is(0, "migrate") {
        // What follows KEYS is keys, whatever it says.
        let end = (6..words.len()).find(|at| is(*at, "keys")).unwrap_or(words.len());
        let given = |name: &str, secrets: usize| {
            let option = (6..end).find(|at| is(*at, name)).map_or(end, |at| at + 1);
            option..(option + secrets).min(end)
        };
        return given("auth", 1).chain(given("auth2", 2)).collect();
    }
    if is(0, "config") && is(1, "set") {
        let values = (3..words.len()).step_by(2);
        return values.filter(|at| is_sensitive(words[at - 1])).collect();
    }
    Vec::new()
}

fn is_sensitive(name: &[u8]) -> bool {
    let name = str::from_utf8(name).unwrap_or_default();
    lookup(name).is_some_and(|directive| directive.sensitive)
}

#[cfg(test)]
mod tests {
    use super::secrets;

    #[test]
    fn passwords_are_secrets() {
        let table: &[(&str, &[usize])] = &[
            ("AUTH secret", &[1]),
            ("auth default secret", &[1, 2]),
            ("HELLO 3 AUTH default secret SETNAME x", &[3, 4]),
            ("hello 3 setname x", &[]),
            ("hello 3 auth", &[]),
            ("MIGRATE host 1 key 0 9 COPY AUTH secret KEYS auth x", &[8]),
            ("migrate host 1 key 0 9 auth2 me secret", &[7, 8]),
            ("migrate host 1 key 0 9 auth", &[]),
            ("config set maxclients 9 REQUIREPASS secret", &[5]),
            ("config set requirepass", &[]),
            ("set auth secret", &[]),
        ];
        for (request, expected) in table {
            let words: Vec<&[u8]> = request.split(' ').map(str::as_bytes).collect();
            assert_eq!(secrets(&words), *expected, "{request}");
        }
    }
}
