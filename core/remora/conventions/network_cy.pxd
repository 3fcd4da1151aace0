# What is known of a connection, for the compiled records.
cpdef object put_network(dict attributes, object name, object version, object peer_address, object peer_port)
