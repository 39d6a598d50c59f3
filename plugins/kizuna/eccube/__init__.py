"""EC-CUBE 4, read by its Web API (`api`) or from its database (`database`), in one shape of records."""
