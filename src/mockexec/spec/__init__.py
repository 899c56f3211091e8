"""Any OpenAPI document (2.0, 3.0, 3.1, 3.2) as operations and compiled validators.

::

    pointers     JSON pointers
    parse        bytes → JSON types, bounded, with the lines of everything
    remote       files named by a URI
    references   where each ``$ref`` leads
    load         files → one immutable ``Document``
    forms        the form fields of a 2.0 operation as one schema
    operations   a document → operations, parameters, bodies, responses
    dialect      an OpenAPI schema → a JSON Schema 2020-12 one
    shapes       what a text value may become
    messages     a validation error in plain words
    explain      why a value does not fit, without exponential cost
    schemas      compiled validators
    places       every schema and example, by place
    lint         what is wrong with a document, with file and line
    diff         what changed between two documents, and whom it breaks; ``diff_*`` are its parts
"""
