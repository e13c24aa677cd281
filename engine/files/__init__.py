"""Files, as sources and records share them: entries, encryption, NWB."""
