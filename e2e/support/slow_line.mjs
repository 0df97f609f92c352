// A line to the server on which answers can be held back: whatever comes after so many bytes waits until it is let go.
import { once } from "node:events";
import { connect, createServer } from "node:net";

export class SlowLine {
  static async to(port) {
    const line = new SlowLine();
    line.room = Infinity;
    line.held = new Set();
    line.server = createServer((device) => line.carry(device, connect(port, "127.0.0.1")));
    line.server.listen(0, "127.0.0.1");
    await once(line.server, "listening");
    line.address = `http://127.0.0.1:${line.server.address().port}`;
    return line;
  }

  carry(device, server) {
    const both = [device, server];
    for (const socket of both) socket.on("error", () => both.forEach((other) => other.destroy()));
    // Pages and files always come; only the lasting connection can be slow.
    let lasting = false;
    device.on("data", (bytes) => {
      lasting ||= /^upgrade: websocket/im.test(bytes.toString("latin1"));
      server.write(bytes);
    });
    server.on("data", (bytes) => {
      const room = lasting ? Math.min(this.room, bytes.length) : bytes.length;
      device.write(bytes.subarray(0, room));
      if (lasting) this.room -= room;
      if (room < bytes.length) {
        server.pause();
        server.unshift(bytes.subarray(room));
        this.held.add(server);
      }
    });
    device.on("end", () => server.end());
    server.on("end", () => device.end());
  }

  /** So many bytes come yet, and then no more. */
  hold(bytes) {
    this.room = bytes;
  }

  release() {
    this.room = Infinity;
    for (const server of this.held) server.resume();
    this.held.clear();
  }

  close() {
    this.server.close();
  }
}
