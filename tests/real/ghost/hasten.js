// Loaded ahead of Ghost. It tries its mail service seven times in three and a half minutes before it calls a mailing failed
// (batch-sending-service.js); here in two seconds. Nothing else of it waits differently.
const wait = global.setTimeout;
const hastened = (call, ms, ...rest) => wait(call, ms >= 10_000 && new Error().stack.includes("retryDb") ? ms / 100 : ms, ...rest);
global.setTimeout = Object.defineProperties(hastened, Object.getOwnPropertyDescriptors(wait));
