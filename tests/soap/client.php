<?php
// The calls of an older connector, by PHP's own client: address of the house, API key, what to save. Prints what came, as JSON.
declare(strict_types=1);

class CrmIntegrationWebserviceSession
{
    public string $sessionID;
}
class CrmField
{
    public bool $active;
    public bool $custom;
    public string $datatype;
    public string $label;
    public int $lenght;
    public string $name;
    public int $picklist_id;
    public bool $readonly;
    public bool $required;
    public string $translations;
    public int $uitype;
}
class PicklistValue
{
    public int $id;
    public string $label;
    public string $value;
}

[, $base, $key, $saved] = $argv;
ini_set('soap.wsdl_cache_enabled', '0');
$kinds = ['CrmIntegrationWebserviceSession', 'CrmField', 'PicklistValue'];
$of = fn (string $name): SoapClient => new SoapClient(
    "$base/CrmIntegrationWebservice/service.php?class={$name}Manager&wsdl",
    ['classmap' => array_combine($kinds, $kinds), 'exceptions' => true, 'trace' => 1]
);
[$sessions, $fields, $entities, $picklists] = array_map($of, ['session', 'field', 'entity', 'picklist']);
try {
    $session = $sessions->createSession($key);
    $found = $fields->getCrmFields($session, 'Leads');
    $values = [];
    foreach ($found as $one) {
        if ($one->picklist_id) {
            $values[$one->name] = $picklists->getPicklistValues($session, $one->picklist_id, 'fi_fi');
        }
    }
    $made = json_decode($entities->bulkEntitySave($session, 'Leads', $saved), true);
    $ended = $sessions->destroySession($session);
    echo json_encode(['fields' => $found, 'values' => $values, 'made' => $made, 'ended' => $ended]);
} catch (SoapFault $fault) {
    echo json_encode(['fault' => $fault->faultcode, 'says' => $fault->getMessage()]);
}
