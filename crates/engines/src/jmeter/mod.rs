//! Apache JMeter.
