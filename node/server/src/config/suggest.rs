//! Finds the name that somebody probably meant.

use super::table::DIRECTIVES;

/// The known name nearest to a misspelt one, if it is near enough to be worth mentioning.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase().replace('_', "-");
    let tolerance = (name.len() / 4).clamp(1, 4);
    DIRECTIVES
        .iter()
        .flat_map(super::Directive::names)
        .map(|known| (distance(name.as_bytes(), known.as_bytes()), known))
        .filter(|(distance, _)| *distance <= tolerance)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// How many insertions, deletions, replacements and swaps of neighbours lead from `a` to `b`.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut before = vec![0; b.len() + 1];
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut current = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = previous[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            current[j] = replaced.min(previous[j] + 1).min(current[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                current[j] = current[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut previous, current);
    }
    previous[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn what_is_near_is_suggested() {
        for (typed, expected) in [
            ("maxmemry", Some("maxmemory")),
            ("max-memory", Some("maxmemory")),
            ("MAXCLIENT", Some("maxclients")),
            ("prot", Some("port")),
            ("append_fsync", Some("appendfsync")),
            ("slave-prioritty", Some("slave-priority")),
            ("cluster-announce-hostnames", Some("cluster-announce-hostname")),
            ("nonsense", None),
            ("x", None),
        ] {
            assert_eq!(nearest(typed), expected, "{typed}");
        }
    }
}
