// A guest that asks for URL as often as COUNT says and reads every body to its end.
import { request } from "./http";
import { environment, exit } from "./wasi";

const url = environment("URL");
const count = <i32>parseInt(environment("COUNT"));
const buffer = new Uint8Array(262144);

for (let index = 0; index < count; index++) {
  const response = request("GET", url);
  if (response.error != 0) exit(<i32>response.error);
  while (response.read(buffer) > 0) {}
  response.close();
}
