"""What every room stands on: settings, database, clock, money, events, deadlines, access, errors."""
