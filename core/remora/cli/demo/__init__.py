"""`remora demo`: a shop of two services, real requests, and their traces."""
