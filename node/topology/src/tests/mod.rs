//! Scenarios and properties that span the modules.
