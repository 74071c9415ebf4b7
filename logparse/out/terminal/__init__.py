"""What people see: the reports, rendered for a terminal of 60 columns or more."""
