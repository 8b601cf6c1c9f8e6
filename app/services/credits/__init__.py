"""Credit notes: prepared by one person, issued by another, used or paid back (AVO-1 … AVO-5)."""
