package floodgate.gatling;

/**
 * This task's part of everything that is counted: of each cycle of starts, those that a smooth weighted round robin gives it. All
 * tasks compute the same cycle, so that together they own every start exactly once.
 */
final class Share {
    private static final int LONGEST = 1 << 20;

    /** How many of the first n of a cycle are ours; one longer than the cycle. */
    private final int[] first;

    private Share(int[] first) {
        this.first = first;
    }

    /** The share that the launcher gave this process. */
    static Share mine() {
        String[] parts = System.getProperty("floodgate.weights", "1").split(",");
        long[] weights = new long[parts.length];
        for (int k = 0; k < parts.length; k++) {
            weights[k] = Long.parseLong(parts[k].trim());
        }
        return of(weights, Integer.getInteger("floodgate.task", 0));
    }

    static Share of(long[] weights, int task) {
        long cycle = 0;
        for (long weight : weights) {
            cycle += weight;
        }
        if (cycle < 1 || cycle > LONGEST || task < 0 || task >= weights.length) {
            throw new IllegalArgumentException("no task " + task + " of weights that add up to " + cycle);
        }
        int[] first = new int[(int) cycle + 1];
        long[] credit = new long[weights.length];
        for (int i = 0; i < cycle; i++) {
            int next = 0;
            for (int k = 0; k < weights.length; k++) {
                credit[k] += weights[k];
                if (credit[k] > credit[next]) {
                    next = k;
                }
            }
            credit[next] -= cycle;
            first[i + 1] = first[i] + (next == task ? 1 : 0);
        }
        return new Share(first);
    }

    /** How many of the first n are ours. */
    long count(long n) {
        int cycle = first.length - 1;
        return n / cycle * first[cycle] + first[(int) (n % cycle)];
    }

    /** Whether the one with this number, from 0, is ours. */
    boolean has(long number) {
        return count(number + 1) > count(number);
    }
}
