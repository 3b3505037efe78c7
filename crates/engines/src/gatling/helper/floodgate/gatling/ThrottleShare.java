package floodgate.gatling;

import io.gatling.core.controller.throttle.ThrottleStep;

/** Of a throttle's requests a second those that are ours. What a step hands on to the next is the whole. */
final class ThrottleShare implements ThrottleStep {
    private final ThrottleStep whole;
    private final Share share;

    ThrottleShare(ThrottleStep whole, Share share) {
        this.whole = whole;
        this.share = share;
    }

    @Override
    public long durationInSec() {
        return whole.durationInSec();
    }

    @Override
    public int target(int previous) {
        return whole.target(previous);
    }

    @Override
    public int rps(long time, int previous) {
        return (int) share.count(whole.rps(time, previous));
    }

    @Override
    public int productArity() {
        return 1;
    }

    @Override
    public Object productElement(int index) {
        return whole;
    }

    @Override
    public boolean canEqual(Object other) {
        return other == this;
    }
}
