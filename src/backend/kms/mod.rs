//! The screen without a compositor: KMS.
pub mod uevent;
