//! systemd's journal as a logger.
use systemd_journal_logger::{JournalLog, connected_to_journal};

/// Whether our stderr is the journal's, as it is in a service.
pub fn is_connected() -> bool {
    connected_to_journal()
}

/// A logger that writes to the journal under `name`, with levels as priorities; fails where there is no journal.
pub fn logger(name: &str) -> std::io::Result<Box<dyn log::Log>> {
    Ok(Box::new(JournalLog::new()?.with_syslog_identifier(name.to_owned())))
}
