"""Attributes of what several TM Forum APIs speak of (see engine.attributes)."""

TABLE = """
AccountBalance: balanceType! amount:Money! validFor:TimePeriod!
AgreementItemRef: id! href agreementItemId name @referredType
AgreementRef: id! href name @referredType
AgreementSpecificationRef: id! href description name @referredType
AppointmentRef: id! href description @referredType
AttachmentRefOrValue: id href attachmentType content description mimeType name url size:Quantity
  validFor:TimePeriod @referredType
BillingAccountRef: id! href name @referredType
CategoryRef: id! href name version @referredType
ChannelRef: id! href name @referredType
Characteristic: name! valueType value:any! id
  characteristicRelationship:CharacteristicRelationship*
CharacteristicRelationship: id href relationshipType
CharacteristicValueSpecification: isDefault:flag rangeInterval regex unitOfMeasure valueFrom:whole
  valueTo:whole valueType validFor:TimePeriod value:any
ConstraintRef: id! href name version @referredType
MediumCharacteristic: city contactType country emailAddress faxNumber phoneNumber postCode
  socialNetworkId stateOrProvince street1 street2
Money: unit value:number id href
OrderItemActionType = add | modify | delete | noChange
PaymentMethodRef: id! href name @referredType
PaymentRef: id! href name @referredType
Price: percentage:number taxRate:number dutyFreeAmount:Money taxIncludedAmount:Money
PriceAlteration: applicationDuration:whole description name priceType! priority:whole
  recurringChargePeriod unitOfMeasure price:Price! productOfferingPrice:ProductOfferingPriceRef
ProductOfferingPriceRef: id! href name @referredType
ProductOfferingQualificationItemRef: id! href name productOfferingQualificationHref
  productOfferingQualificationId! productOfferingQualificationName @referredType
ProductOfferingQualificationRef: id! href name @referredType
ProductOfferingRef: id! href name @referredType
ProductPrice: description name priceType! recurringChargePeriod unitOfMeasure
  billingAccount:BillingAccountRef price:Price! productOfferingPrice:ProductOfferingPriceRef
  productPriceAlteration:PriceAlteration*
ProductRef: id! href name @referredType
ProductSpecificationRef: id! href name version targetProductSchema:TargetProductSchema
  @referredType
ProductStatusType = created | pendingActive | cancelled | active | pendingTerminate | terminated |
  suspended | aborted
ProductTerm: description name duration:Quantity validFor:TimePeriod
Quantity: amount:number units
RelatedPlaceRefOrValue: id href name role! @referredType
RelatedProductOrderItem: orderItemAction orderItemId! productOrderHref productOrderId! role
  @referredType
ResourceRef: id! href name value @referredType
ServiceRef: id! href name @referredType
ServiceSpecificationRef: id! href name version @referredType
TargetProductSchema: @schemaLocation! @type!
TaxItem: id href taxCategory taxRate:number taxAmount:Money
TerminationError: id value
TimePeriod: endDateTime:time startDateTime:time id href
"""
