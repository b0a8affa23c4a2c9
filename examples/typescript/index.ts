import { AmbientExposure } from "@ambient-exposure/ambient";

const exposure = new AmbientExposure("httpbin", {
    namespace: { name: "httpbin", discoveryLabels: { "istio-discovery": "enabled" } },
    service: {
        name: "httpbin",
        port: 8000,
        image: "docker.io/mccutchen/go-httpbin:v2.15.0",
        containerPort: 8080,
    },
    hostnames: ["httpbin.example.com"],
    rules: [{ paths: ["/headers"] }],
    verification: {
        checks: [{ path: "/headers", status: 200 }, { path: "/get", status: 404 }],
    },
});

export const url = exposure.url;
export const verified = exposure.verified;
