//! Files in and out, good and hostile.

#![expect(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

mod csv;
mod hostile;
mod support;
mod vcard;
mod worker;
mod write;
mod xlsx;
