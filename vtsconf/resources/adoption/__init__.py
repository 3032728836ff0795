"""The other way round: from what a live server holds to the document that describes it. Pure."""
