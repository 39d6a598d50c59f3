"""SendGrid's account: suppressions, exports, statistics, events."""
