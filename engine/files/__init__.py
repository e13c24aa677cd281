"""Files, as sources and records share them: frames, encryption, NWB."""
