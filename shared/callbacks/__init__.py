"""Events pushed to the apps that asked for it, signed so that an app can tell who calls."""
