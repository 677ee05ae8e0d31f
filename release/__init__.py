"""Steps of a release that CI cannot do, because they ask the network: docs/releasing.md."""
