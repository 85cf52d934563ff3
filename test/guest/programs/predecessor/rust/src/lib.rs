// What a Rust guest of the predecessor does: three exports without arguments that panic when something is wrong.
// The base URL is not fixed: it comes from BASE_URL, so that a server on this machine can answer.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use wasi_experimental_http::Response;

fn url(path: &str) -> String {
    let base = std::env::var("BASE_URL").unwrap_or_else(|_| "https://api.test:8443".to_string());
    format!("{}{}", base, path)
}

fn send(request: Request<Option<Bytes>>) -> Response {
    wasi_experimental_http::request(request).expect("the request was refused or failed")
}

fn fetch() -> Response {
    let request = Request::builder().uri(url("/get")).body(None).unwrap();
    let response = send(request);
    assert_eq!(response.status_code, StatusCode::OK);
    response
}

/// One GET; the status, one header and the length of the body are looked at.
#[no_mangle]
pub extern "C" fn get() {
    let mut response = fetch();
    let content_type = response.header_get("content-type".to_string()).unwrap();
    assert!(!content_type.is_empty());
    let headers = response.headers_get_all().unwrap();
    assert_eq!(headers["content-type"], content_type.as_str());
    let body = response.body_read_all().unwrap();
    println!("get {} {} bytes", response.status_code.as_u16(), body.len());
}

/// One POST with a header; the server sends both back.
#[no_mangle]
pub extern "C" fn post() {
    let request = Request::builder()
        .method(Method::POST)
        .uri(url("/post"))
        .header("Content-Type", "text/plain")
        .header("abc", "def")
        .body(Some(Bytes::from_static(b"Testing with a request body. Does this actually work?")))
        .unwrap();
    let mut response = send(request);
    assert_eq!(response.status_code, StatusCode::OK);
    let body = String::from_utf8(response.body_read_all().unwrap()).unwrap();
    assert!(body.contains("Testing with a request body"), "no body in the echo: {}", body);
    assert!(body.contains("abc") && body.contains("def"), "no header in the echo: {}", body);
    println!("post {} {} bytes", response.status_code.as_u16(), body.len());
}

/// Three responses, all open at once.
#[no_mangle]
pub extern "C" fn concurrent() {
    let first = fetch();
    let second = fetch();
    let third = fetch();
    println!(
        "concurrent {} {} {}",
        first.status_code.as_u16(),
        second.status_code.as_u16(),
        third.status_code.as_u16()
    );
}
