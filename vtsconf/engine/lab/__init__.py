"""The lab: servers on loopback that behave like a VTS as far as configuring it goes, and break on demand."""
