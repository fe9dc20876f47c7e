import com.amazonaws.services.dynamodbv2.local.main.ServerRunner;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/**
 * DynamoDB Local on 127.0.0.1 only. The stock ServerRunner listens on every interface and has no option for it,
 * so the Jetty server inside is reached by reflection and its connectors are moved before it starts.
 */
public class LoopbackServer {
  public static void main(String[] arguments) throws Exception {
    var proxy = ServerRunner.createServerFromCommandLineArgs(arguments);
    var field = proxy.getClass().getDeclaredField("server");
    field.setAccessible(true);
    for (Connector connector : ((Server) field.get(proxy)).getConnectors()) {
      ((ServerConnector) connector).setHost("127.0.0.1");
    }
    proxy.start();
    while (System.in.read() >= 0) {
      // Nothing is said on standard input: its end is the end of the tests that started this.
    }
    Runtime.getRuntime().halt(0);
  }
}
