// A provider of OpenID Connect that people sign in at: a real one, with pages of its own, on another site than the clinic.
import { once } from "node:events";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const CLIENT = "clinic";
const SECRET = "a secret between clinic and provider";

export class Issuer {
  /** Its address is known before the clinic's is; `serve` comes once both are. */
  static async listen() {
    const issuer = new Issuer();
    issuer.server = createServer((request, response) => issuer.answer(request, response));
    issuer.server.listen(0, "127.0.0.1");
    await once(issuer.server, "listening");
    // The clinic is at 127.0.0.1, which is another site for a browser.
    issuer.address = `http://localhost:${issuer.server.address().port}`;
    return issuer;
  }

  /** What the clinic's server is told about it. */
  setting() {
    return JSON.stringify([
      { name: "acme", label: "Acme", issuer: this.address, client_id: CLIENT, client_secret: SECRET },
    ]);
  }

  serve(clinicAddress) {
    const provider = new Provider(this.address, {
      clients: [
        {
          client_id: CLIENT,
          client_secret: SECRET,
          redirect_uris: [`${clinicAddress}/api/v1/openid/callback/acme`],
          grant_types: ["authorization_code"],
          response_types: ["code"],
        },
      ],
      claims: { email: ["email", "email_verified"], profile: ["name"] },
      conformIdTokenClaims: false,
      cookies: { keys: ["of this story alone"] },
      pkce: { required: () => true },
      findAccount: (_, id) => ({
        accountId: id,
        claims: () => ({ sub: id, email: `${id}@acme.example`, email_verified: true, name: id }),
      }),
    });
    this.answer = provider.callback();
    this.troubles = [];
    provider.on("server_error", (_, error) => this.troubles.push(error.stack));
    provider.on("authorization.error", (_, error) => error.error !== "access_denied" && this.troubles.push(error.message));
    provider.on("grant.error", (_, error) => this.troubles.push(error.message));
  }

  async stop() {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, "close");
  }
}

/** What a person does at the provider: signs in there, and agrees. */
export async function signInThere(page, name) {
  await page.waitForURL(/^http:\/\/localhost:/);
  await page.getByPlaceholder("Enter any login").fill(name);
  await page.getByPlaceholder("and password").fill("known there alone");
  await page.getByRole("button", { name: "Sign-in" }).click();
  await page.getByRole("button", { name: "Continue" }).click();
}
