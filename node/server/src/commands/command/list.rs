//! The filters of `COMMAND LIST`.

use quoris_engine::glob::{self, Case};
use quoris_engine::spec::Categories;
use quoris_engine::{Args, Result, error};

use super::Named;

/// Which commands are named.
pub(super) enum Filter<'a> {
    /// All.
    All,
    /// None: those of a module, or of a category that does not exist.
    None,
    /// Those of an ACL category.
    Category(Categories),
    /// Those whose full name fits a pattern.
    Pattern(&'a [u8]),
}

impl<'a> Filter<'a> {
    /// Reads `FILTERBY kind value`.
    ///
    /// # Errors
    /// A syntax error.
    pub(super) fn parse(args: &Args<'a>) -> Result<Self> {
        if args.len() == 2 {
            return Ok(Filter::All);
        }
        if args.len() != 5 || !args[2].eq_ignore_ascii_case(b"filterby") {
            return Err(error::SYNTAX);
        }
        let value = args.get(4);
        match args[3].to_ascii_lowercase().as_slice() {
            b"module" => Ok(Filter::None),
            b"aclcat" => {
                let name = str::from_utf8(value).unwrap_or_default();
                Ok(Categories::by_name(name).map_or(Filter::None, Filter::Category))
            }
            b"pattern" => Ok(Filter::Pattern(value)),
            _ => Err(error::SYNTAX),
        }
    }

    /// Whether a command is to be named.
    pub(super) fn accepts(&self, named: Named) -> bool {
        match self {
            Filter::All => true,
            Filter::None => false,
            Filter::Category(category) => named.command.categories().has(*category),
            Filter::Pattern(pattern) => {
                glob::matches(pattern, named.full_name().as_bytes(), Case::Insensitive)
            }
        }
    }
}
