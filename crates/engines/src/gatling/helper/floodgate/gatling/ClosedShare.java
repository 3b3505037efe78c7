package floodgate.gatling;

import io.gatling.core.controller.inject.closed.ClosedInjectionStep;
import scala.concurrent.duration.FiniteDuration;

/** Of the users of a closed profile those that are ours: at each moment the tasks together have as many as one would. */
final class ClosedShare implements ClosedInjectionStep {
    private final ClosedInjectionStep whole;
    private final Share share;

    ClosedShare(ClosedInjectionStep whole, Share share) {
        this.whole = whole;
        this.share = share;
    }

    @Override
    public int valueAt(FiniteDuration time) {
        return (int) share.count(whole.valueAt(time));
    }

    @Override
    public FiniteDuration duration() {
        return whole.duration();
    }

    @Override
    public boolean isEmpty() {
        return whole.isEmpty();
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
