// A receiver as its author would write it, with the npm package `standardwebhooks`: receiver.js PORT.
// PUT /keys [..] says what it knows, PUT /answers [..] what it answers next (a status, or "hang"), GET /seen what it was told.
const http = require("http");
const { Webhook } = require("standardwebhooks");

let keys = [], answers = [], seen = [];

function verified(body, headers) {
  return keys.some((key) => {
    try { new Webhook(key).verify(body, headers); return true; } catch { return false; }
  });
}

http.createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks).toString();
    const say = (status, text, headers) => { response.writeHead(status, headers); response.end(text); };
    if (request.url === "/keys") { keys = JSON.parse(body); return say(204); }
    if (request.url === "/answers") { answers = JSON.parse(body); return say(204); }
    if (request.url === "/seen") return say(200, JSON.stringify(seen), { "content-type": "application/json" });
    if (request.method !== "POST") return say(405);
    const good = verified(body, request.headers);
    seen.push({ path: request.url, id: request.headers["webhook-id"], at: request.headers["webhook-timestamp"], token: request.headers["x-token"], good, event: JSON.parse(body) });
    if (!good) return say(401, "bad signature");
    const answer = answers.shift() ?? 200;
    if (answer === "hang") return;
    if (answer === 302) return say(302, "", { location: "/elsewhere" });
    say(answer, answer === 410 ? "this Zap was deleted" : "ok", answer === 503 ? { "retry-after": "1" } : {});
  });
}).listen(Number(process.argv[2]), "127.0.0.1");
