# C layout of redaction, for the compiled records.
cpdef str url_query(str query)
