package floodgate.gatling;

import io.gatling.core.controller.inject.open.OpenInjectionStep;
import io.gatling.core.controller.inject.open.PoissonOpenInjection;
import scala.collection.AbstractIterator;
import scala.collection.Iterator;
import scala.concurrent.duration.FiniteDuration;

/** Of the starts of an open profile those that are ours, at the times at which one process would make them. */
final class OpenShare implements OpenInjectionStep {
    private final OpenInjectionStep whole;
    private final Share share;

    OpenShare(OpenInjectionStep whole, Share share) {
        this.whole = whole;
        this.share = share;
    }

    /** Random arrivals of all tasks come from one sequence, else they would not be parts of one. */
    static OpenInjectionStep seeded(OpenInjectionStep step, long seed) {
        if (step instanceof PoissonOpenInjection) {
            PoissonOpenInjection random = (PoissonOpenInjection) step;
            return new PoissonOpenInjection(random.duration(), random.startRate(), random.endRate(), seed);
        }
        return step;
    }

    @Override
    public Iterator<FiniteDuration> chain(Iterator<FiniteDuration> next) {
        Iterator<FiniteDuration> all = whole.chain(scala.collection.Iterator$.MODULE$.<FiniteDuration>empty());
        FiniteDuration length = duration();
        return new Ours(all, share).concat(() -> next.map(at -> at.$plus(length)));
    }

    @Override
    public long users() {
        return share.count(whole.users());
    }

    @Override
    public FiniteDuration duration() {
        return whole.duration();
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

    private static final class Ours extends AbstractIterator<FiniteDuration> {
        private final Iterator<FiniteDuration> all;
        private final Share share;
        private long number;
        private FiniteDuration next;

        Ours(Iterator<FiniteDuration> all, Share share) {
            this.all = all;
            this.share = share;
        }

        @Override
        public boolean hasNext() {
            while (next == null && all.hasNext()) {
                FiniteDuration at = all.next();
                if (share.has(number++)) {
                    next = at;
                }
            }
            return next != null;
        }

        @Override
        public FiniteDuration next() {
            if (!hasNext()) {
                throw new java.util.NoSuchElementException();
            }
            FiniteDuration at = next;
            next = null;
            return at;
        }
    }
}
