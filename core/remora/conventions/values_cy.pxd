# What makes attribute values exact, for the compiled records.
cpdef str exact_text(object value)
cpdef object exact_int(object value)
