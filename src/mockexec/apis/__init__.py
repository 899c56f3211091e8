"""One folder per vendor's API. Same job, same file name in every folder.

``handlers`` what each operation does · ``wire`` the vendor's JSON · ``errors`` refusals in the
vendor's words · ``auth`` credentials and tokens · ``populate`` fixtures to executions. A file with
nothing to say is left out.
"""
