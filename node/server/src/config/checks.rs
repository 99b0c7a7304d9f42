//! What some directives demand of their texts and words, in Redis's words where Redis refuses too.

use quoris_resp::{format_double, parse_double};

/// How many addresses `bind` takes.
const BIND_ADDRESSES_MAX: usize = 16;

/// A host name: letters, digits, hyphens and dots, fewer than 256.
pub(super) fn hostname(text: &str) -> Result<(), String> {
    if text.len() >= 256 {
        return Err("Hostnames must be less than 256 characters".into());
    }
    if text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.')) {
        Ok(())
    } else {
        Err("Hostnames may only contain alphanumeric characters, hyphens or dots".into())
    }
}

/// Something that clients can connect to; it goes into replies that are split at blanks.
pub(super) fn address(text: &str) -> Result<(), String> {
    if text.bytes().all(|b| b.is_ascii_alphanumeric() || b".:-%".contains(&b)) {
        Ok(())
    } else {
        Err("argument must be an IP address or a host name".into())
    }
}

/// A directory has a name.
pub(super) fn directory(text: &str) -> Result<(), String> {
    if text.is_empty() { Err("argument must be the path of a directory".into()) } else { Ok(()) }
}

/// `bind`: addresses; `-` before one forgives its absence, `*` is every address of a family.
pub(super) fn bind(words: &[&str]) -> Result<Vec<String>, String> {
    if words.len() > BIND_ADDRESSES_MAX {
        return Err("Too many bind addresses specified.".into());
    }
    Ok(owned(words))
}

/// `save`: pairs of seconds and changes.
pub(super) fn save(words: &[&str]) -> Result<Vec<String>, String> {
    let numbers: Option<Vec<i64>> = words.iter().map(|word| word.parse().ok()).collect();
    match numbers {
        Some(numbers)
            if numbers.len().is_multiple_of(2)
                && numbers.chunks(2).all(|pair| pair[0] >= 1 && pair[1] >= 0) =>
        {
            Ok(numbers.iter().map(i64::to_string).collect())
        }
        _ => Err("Invalid save parameters".into()),
    }
}

/// `oom-score-adj-values`: three numbers.
pub(super) fn oom_scores(words: &[&str]) -> Result<Vec<String>, String> {
    if words.len() != 3 {
        return Err("wrong number of arguments".into());
    }
    let valid = |word: &&str| word.parse().is_ok_and(|score| (-2000..=2000).contains(&score));
    if words.iter().all(valid) {
        Ok(owned(words))
    } else {
        Err("Invalid oom-score-adj-values, elements must be between -2000 and 2000.".into())
    }
}

/// `latency-tracking-info-percentiles`: numbers from 0 to 100.
pub(super) fn percentiles(words: &[&str]) -> Result<Vec<String>, String> {
    words.iter().map(|word| percentile(word)).collect()
}

fn percentile(word: &str) -> Result<String, String> {
    match parse_double(word.as_bytes()) {
        None => Err("Invalid latency-tracking-info-percentiles parameters".into()),
        Some(number) if (0.0..=100.0).contains(&number) => {
            // Redis keeps six decimals.
            Ok(format_double((number * 1e6).round() / 1e6))
        }
        Some(_) => {
            Err("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]"
                .into())
        }
    }
}

/// `replicaof`: `no one`, which is no address, or a host and a port.
pub(super) fn replica_of(words: &[&str]) -> Result<Vec<String>, String> {
    match words {
        [] => Ok(Vec::new()),
        [no, one] if no.eq_ignore_ascii_case("no") && one.eq_ignore_ascii_case("one") => {
            Ok(Vec::new())
        }
        [_, port] if port.parse::<u16>().is_ok() => Ok(owned(words)),
        [_, _] => Err("Invalid master port".into()),
        _ => Err("wrong number of arguments".into()),
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).into()).collect()
}
