package floodgate.gatling;

import java.io.PrintStream;
import java.util.prefs.Preferences;

/** Runs a simulation's share with Gatling, or describes it. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) {
        try {
            if (arguments.length == 1 && arguments[0].equals("describe")) {
                PrintStream out = System.out;
                // Simulations print what they like when they are made.
                System.setOut(System.err);
                out.println(Describe.simulation());
                out.flush();
                System.exit(0);
            }
            // Found here rather than by Gatling, so that what is wrong with the script is said in a line.
            System.setProperty("floodgate.simulation", Script.name());
        } catch (Exception | LinkageError e) {
            e.printStackTrace();
            System.err.println("floodgate: " + (e.getMessage() == null ? e.toString() : e.getMessage()));
            System.exit(1);
        }
        noLookUps();
        io.gatling.app.Gatling.main(arguments);
    }

    /** Gatling asks the network for its latest release unless it remembers to have asked; the launcher gave it a memory of its own. */
    private static void noLookUps() {
        Preferences memory = Preferences.userRoot().node("/io/gatling/latestVersion");
        memory.putLong("lastCheckTimestamp", Long.MAX_VALUE / 2);
        memory.putBoolean("lastCheckSuccess", false);
    }
}
