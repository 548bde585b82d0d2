// Whoever imports OTLP has its messages with it.
@_exported public import OTLPMessages
