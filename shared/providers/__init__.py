"""The providers: one folder each, one HTTP call each; what their words mean is data beside the code."""
