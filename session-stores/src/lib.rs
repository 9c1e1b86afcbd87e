//! Every session store behind a feature, and one opened from configuration.
