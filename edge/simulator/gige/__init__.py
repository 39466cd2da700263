"""A GigE Vision camera in software: GVCP and GVSP over UDP, for clients that nobody here wrote."""
