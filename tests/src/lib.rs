//! Whole-process tests of Quoris and the checks of its repository live in this
//! package's `tests/` folder.
