"""Who someone is: users, roles, profiles, groups, passwords, keys, sessions; and the Viewer that all doors take."""
