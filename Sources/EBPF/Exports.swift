// One import for a user: errors, specifications and object files come with the loader.
@_exported public import EBPFObject
