"""Other tools' configurations, generated from the patterns: Promtail, Alloy, Loki's rules, mtail, lnav."""
