//! Values: read from words, with Redis's words for what is wrong with them, and printed again.

use quoris_resp::parse_i64;

use super::buffer_limits::BufferLimits;
use super::directive::{Directive, Effect, Kind};
use super::keyspace_events::KeyspaceEvents;

/// The value of a directive; which form it has follows from the directive's kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A flag.
    Bool(bool),
    /// An integer, bytes, a percentage (negative), event bits, or the index of a choice.
    Number(i64),
    /// A text.
    Text(String),
    /// Words.
    Words(Vec<String>),
    /// The limits of the three client classes.
    Limits(BufferLimits),
}

impl Directive {
    /// The value that is in force when nobody asks for another.
    pub fn default_value(&self) -> Value {
        match self.kind {
            Kind::Bool { default } => Value::Bool(default),
            Kind::Integer { default, .. }
            | Kind::Clamped { default, .. }
            | Kind::Memory { default, .. }
            | Kind::MemoryOrPercent { default }
            | Kind::Octal { default, .. } => Value::Number(default),
            Kind::Choice { of, default } => Value::Number(index_in(of, default)),
            Kind::Choices { default, .. } => Value::Words(vec![default.into()]),
            Kind::Text { default, .. } => Value::Text(default.into()),
            Kind::Words { default, .. } => {
                Value::Words(default.iter().map(|word| (*word).into()).collect())
            }
            Kind::BufferLimits => Value::Limits(BufferLimits::default()),
            Kind::KeyspaceEvents => Value::Number(0),
        }
    }

    /// Reads a value. `current` is what it replaces, or for some kinds what it adds to.
    ///
    /// # Errors
    /// What is wrong, in Redis's words.
    pub fn parse(&self, words: &[&str], current: &Value) -> Result<Value, String> {
        let value = if self.kind.takes_many() {
            let mut words: Vec<&str> = words.iter().flat_map(|word| word.split(' ')).collect();
            if words == [""] {
                words.clear();
            }
            parse_many(&self.kind, &words, current)?
        } else {
            let [word] = words else { return Err("wrong number of arguments".into()) };
            parse_one(&self.kind, word)?
        };
        match self.effect {
            Effect::Refused(why) if value != self.default_value() => Err(why.into()),
            _ => Ok(value),
        }
    }

    /// Prints a value as `CONFIG GET` does.
    pub fn print(&self, value: &Value) -> String {
        match (&self.kind, value) {
            (_, Value::Bool(flag)) => if *flag { "yes" } else { "no" }.into(),
            (Kind::Choice { of, .. }, Value::Number(index)) => of[*index as usize].into(),
            (Kind::Octal { .. }, Value::Number(number)) => format!("{number:o}"),
            (Kind::MemoryOrPercent { .. }, Value::Number(number @ ..=-1)) => {
                format!("{}%", -number)
            }
            (Kind::KeyspaceEvents, Value::Number(bits)) => {
                KeyspaceEvents::from_bits(*bits).to_string()
            }
            (_, Value::Number(number)) => number.to_string(),
            (_, Value::Text(text)) => text.clone(),
            (_, Value::Words(words)) => words.join(" "),
            (_, Value::Limits(limits)) => limits.to_string(),
        }
    }
}

fn parse_one(kind: &Kind, word: &str) -> Result<Value, String> {
    match *kind {
        Kind::Bool { .. } => parse_bool(word).map(Value::Bool),
        Kind::Integer { min, max, .. } => {
            in_range(parse_integer(word)?, min, max).map(Value::Number)
        }
        Kind::Clamped { min, max, .. } => {
            let number = in_range(parse_integer(word)?, 0, i64::from(i32::MAX))?;
            Ok(Value::Number(number.clamp(min, max)))
        }
        Kind::Memory { min, max, .. } => {
            let bytes = parse_memory(word).ok_or("argument must be a memory value")?;
            in_range(bytes, min, max).map(Value::Number)
        }
        Kind::MemoryOrPercent { .. } => parse_memory_or_percent(word).map(Value::Number),
        Kind::Octal { max, .. } => parse_octal(word, max).map(Value::Number),
        Kind::Choice { of, .. } => Ok(Value::Number(choose(of, word)?)),
        Kind::Text { check, .. } => {
            check(word)?;
            Ok(Value::Text(word.into()))
        }
        Kind::KeyspaceEvents => Ok(Value::Number(word.parse::<KeyspaceEvents>()?.bits())),
        Kind::Choices { .. } | Kind::Words { .. } | Kind::BufferLimits => {
            unreachable!("these kinds take many words")
        }
    }
}

fn parse_many(kind: &Kind, words: &[&str], current: &Value) -> Result<Value, String> {
    match *kind {
        Kind::Choices { of, .. } => {
            if words.is_empty() {
                choose(of, "")?;
            }
            let chosen: Result<Vec<i64>, String> =
                words.iter().map(|word| choose(of, word)).collect();
            let mut chosen = chosen?;
            chosen.sort_unstable();
            chosen.dedup();
            Ok(Value::Words(chosen.iter().map(|&index| of[index as usize].into()).collect()))
        }
        Kind::Words { check, .. } => check(words).map(Value::Words),
        Kind::BufferLimits => {
            let Value::Limits(limits) = current else {
                unreachable!("a directive keeps its kind of value")
            };
            limits.updated(words).map(Value::Limits)
        }
        _ => unreachable!("the other kinds take one word"),
    }
}

fn parse_bool(word: &str) -> Result<bool, String> {
    if word.eq_ignore_ascii_case("yes") {
        Ok(true)
    } else if word.eq_ignore_ascii_case("no") {
        Ok(false)
    } else {
        Err("argument must be 'yes' or 'no'".into())
    }
}

fn parse_integer(word: &str) -> Result<i64, String> {
    parse_i64(word.as_bytes()).ok_or_else(|| "argument couldn't be parsed into an integer".into())
}

fn in_range(number: i64, min: i64, max: i64) -> Result<i64, String> {
    if (min..=max).contains(&number) {
        Ok(number)
    } else {
        Err(format!("argument must be between {min} and {max} inclusive"))
    }
}

/// Reads bytes with an optional unit; `None` if it is anything else, or more than 63 bits count.
pub(super) fn parse_memory(word: &str) -> Option<i64> {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = word.split_at(digits);
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" => 1000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(factor)
}

/// Writes bytes with the largest unit that divides them, as `CONFIG REWRITE` does.
pub(super) fn print_memory(bytes: i64) -> String {
    let units = [(1 << 30, "gb"), (1 << 20, "mb"), (1 << 10, "kb")];
    match units.iter().find(|(size, _)| bytes > 0 && bytes % size == 0) {
        Some((size, unit)) => format!("{}{unit}", bytes / size),
        None => bytes.to_string(),
    }
}

fn parse_memory_or_percent(word: &str) -> Result<i64, String> {
    if let Some(bytes) = parse_memory(word) {
        return Ok(bytes);
    }
    match word.strip_suffix('%').and_then(|percent| parse_i64(percent.as_bytes())) {
        Some(percent @ 0..=100) => Ok(-percent),
        Some(101..) => Err("percentage argument must be less or equal to 100".into()),
        _ => Err("argument must be a memory or percent value".into()),
    }
}

fn parse_octal(word: &str, max: i64) -> Result<i64, String> {
    let number = i64::from_str_radix(word, 8)
        .map_err(|_| "argument couldn't be parsed as an octal number")?;
    if (0..=max).contains(&number) {
        Ok(number)
    } else {
        Err(format!("argument must be between 0 and {max:o} inclusive"))
    }
}

fn choose(of: &[&str], word: &str) -> Result<i64, String> {
    match of.iter().position(|known| known.eq_ignore_ascii_case(word)) {
        Some(index) => Ok(index as i64),
        None => Err(format!("argument(s) must be one of the following: {}", of.join(", "))),
    }
}

fn index_in(of: &[&str], word: &str) -> i64 {
    choose(of, word).expect("a default is one of the choices")
}
