"""Host: who is here, which of it is wanted, and the moment at which each plugin meets its library."""
